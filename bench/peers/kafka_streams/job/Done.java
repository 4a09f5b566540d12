package job;

import java.util.concurrent.atomic.AtomicLong;

/** How many events were processed: tells the warm-up when to end, and nobody else. */
public final class Done {
    public static final AtomicLong events = new AtomicLong();

    private Done() {}
}

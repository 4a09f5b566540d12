package tuned;

import java.time.OffsetDateTime;
import java.time.temporal.ChronoField;

/** RFC 3339 to microseconds since 1970. */
final class Instants {
    private static String lastMinute = "";
    private static long lastMinuteMicros;

    private Instants() {}

    /** The form that devices use is read by hand; any other by the library. One thread only. */
    static long micros(String text) {
        if (text.length() == 24 && text.charAt(19) == '.' && text.charAt(23) == 'Z') {
            if (!text.startsWith(lastMinute) || lastMinute.isEmpty()) {
                lastMinute = text.substring(0, 17);
                lastMinuteMicros = parsed(lastMinute + "00Z");
            }
            int second = digit(text, 17) * 10 + digit(text, 18);
            int milli = digit(text, 20) * 100 + digit(text, 21) * 10 + digit(text, 22);
            if (second > 59) {
                throw new IllegalArgumentException("not a second");
            }
            return lastMinuteMicros + second * 1_000_000L + milli * 1_000L;
        }
        return parsed(text);
    }

    private static long parsed(String text) {
        OffsetDateTime instant = OffsetDateTime.parse(text);
        return instant.toEpochSecond() * 1_000_000L + instant.get(ChronoField.MICRO_OF_SECOND);
    }

    private static int digit(String text, int at) {
        int digit = text.charAt(at) - '0';
        if (digit < 0 || digit > 9) {
            throw new IllegalArgumentException("not a digit");
        }
        return digit;
    }
}

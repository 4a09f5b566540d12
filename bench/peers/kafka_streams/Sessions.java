import java.nio.charset.StandardCharsets;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/** Assembles each session and writes one output when it ends. */
final class Sessions implements Processor<String, byte[], String, byte[]> {
    static final String STORE = "sessions";

    private final Event event = new Event();
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> sessions;

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
        context = given;
        sessions = given.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        event.read(record.value());
        event.requireSession();
        // Device counters collide across stations.
        String key = event.stationId + '/' + event.sessionId;
        Session session = Session.decode(sessions.get(key));
        boolean ended = session.advance(event);
        sessions.put(key, session.encode());
        if (ended) {
            byte[] output = session.json(event).getBytes(StandardCharsets.UTF_8);
            context.forward(record.withKey(event.stationId).withValue(output));
        }
        Done.events.incrementAndGet();
    }
}

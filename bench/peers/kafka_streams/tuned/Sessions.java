package tuned;

import java.nio.charset.StandardCharsets;
import job.Done;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Assembles each session, keeps its records, and writes one output when it ends. */
public final class Sessions implements Processor<String, byte[], String, byte[]> {
    private static final String STORE = "sessions";
    private static final String RECORDS = "records";

    private final Event event = new Event();
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, byte[]> sessions;
    private KeyValueStore<String, byte[]> records;

    public static StoreBuilder<KeyValueStore<String, byte[]>> store() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray());
    }

    /** What the records say, those of a session together. */
    public static StoreBuilder<KeyValueStore<String, byte[]>> records() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(RECORDS), Serdes.String(), Serdes.ByteArray());
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
        context = given;
        sessions = given.getStateStore(STORE);
        records = given.getStateStore(RECORDS);
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
        records.put(key + '/' + session.records(), event.encode());
        if (ended) {
            byte[] output = session.json(event).getBytes(StandardCharsets.UTF_8);
            context.forward(record.withKey(event.stationId).withValue(output));
        }
        Done.events.incrementAndGet();
    }
}

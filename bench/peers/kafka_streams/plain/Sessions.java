package plain;

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

    private final Json<SessionEvent> events = new Json<>(SessionEvent.class);
    private final Json<Session> outputs = new Json<>(Session.class);
    private ProcessorContext<String, byte[]> context;
    private KeyValueStore<String, Session> sessions;
    private final boolean keepsRecords;
    private KeyValueStore<String, byte[]> records;

    public Sessions(boolean keepsRecords) {
        this.keepsRecords = keepsRecords;
    }

    public static StoreBuilder<KeyValueStore<String, Session>> store() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.String(), Json.serde(Session.class));
    }

    /** The records as they came, those of a session together. */
    public static StoreBuilder<KeyValueStore<String, byte[]>> records() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(RECORDS), Serdes.String(), Serdes.ByteArray());
    }

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
        context = given;
        sessions = given.getStateStore(STORE);
        if (keepsRecords) {
            records = given.getStateStore(RECORDS);
        }
    }

    @Override
    public void process(Record<String, byte[]> record) {
        SessionEvent event = events.read(record.value());
        // Device counters collide across stations.
        String key = event.stationId() + '/' + event.sessionId();
        Session before = sessions.get(key);
        Session after = Session.advanced(before, event);
        sessions.put(key, after);
        if (keepsRecords) {
            records.put(key + '/' + after.records(), record.value());
        }
        if (after.endedMs() != null && (before == null || before.endedMs() == null)) {
            context.forward(
                record.withKey(event.stationId()).withValue(outputs.write(after)));
        }
        Done.events.incrementAndGet();
    }
}

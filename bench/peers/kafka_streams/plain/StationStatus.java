package plain;

import job.Done;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Keeps the last word of each connector of a station. */
public final class StationStatus implements Processor<String, byte[], String, byte[]> {
    private static final String STORE = "stations";

    private final Json<StatusEvent> events = new Json<>(StatusEvent.class);
    private KeyValueStore<String, Words> stations;

    public static StoreBuilder<KeyValueStore<String, Words>> store() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.String(), Json.serde(Words.class));
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        stations = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        StatusEvent event = events.read(record.value());
        Words before = stations.get(event.stationId());
        Words after = Words.advanced(before, event);
        if (after != before) {
            stations.put(event.stationId(), after);
        }
        Done.events.incrementAndGet();
    }
}

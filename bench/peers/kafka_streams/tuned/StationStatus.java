package tuned;

import java.nio.ByteBuffer;
import job.Done;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Keeps the last word of each connector of a station: 1 + 8 + 1 bytes for each. */
public final class StationStatus implements Processor<String, byte[], String, byte[]> {
    private static final String STORE = "stations";

    private static final int WORD = 10;

    private final Event event = new Event();
    private KeyValueStore<String, byte[]> stations;

    public static StoreBuilder<KeyValueStore<String, byte[]>> store() {
        return Stores.keyValueStoreBuilder(
            Stores.persistentKeyValueStore(STORE), Serdes.String(), Serdes.ByteArray());
    }

    @Override
    public void init(ProcessorContext<String, byte[]> context) {
        stations = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<String, byte[]> record) {
        event.read(record.value());
        event.requireStatus();
        byte[] before = stations.get(event.stationId);
        byte[] after = advance(before);
        if (after != null) {
            stations.put(event.stationId, after);
        }
        Done.events.incrementAndGet();
    }

    /** Returns null if the event is older than what is known. */
    private byte[] advance(byte[] before) {
        byte connector = (byte) (event.connectorId < 0 ? 1 : event.connectorId);
        int size = before == null ? 0 : before.length;
        int at = 0;
        while (at < size && before[at] != connector) {
            at += WORD;
        }
        if (at < size && ByteBuffer.wrap(before).getLong(at + 1) > event.atMicros) {
            return null;
        }
        byte[] after = new byte[Math.max(size, at + WORD)];
        if (before != null) {
            System.arraycopy(before, 0, after, 0, size);
        }
        after[at] = connector;
        ByteBuffer.wrap(after).putLong(at + 1, event.atMicros);
        after[at + 9] = event.status;
        return after;
    }
}

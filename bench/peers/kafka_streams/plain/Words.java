package plain;

import java.time.OffsetDateTime;
import java.util.HashMap;
import java.util.Map;

/** The last word of each connector of a station. */
record Words(Map<Integer, Word> ofConnector) {
    /** What a connector was last said to be, and since when. */
    record Word(StatusEvent.Status status, long atMs, String errorCode) {}

    /** Returns the words after an event; `before` itself if the event is older than what is known. */
    static Words advanced(Words before, StatusEvent event) {
        int connector = event.connectorId() == null ? 1 : event.connectorId();
        long at = OffsetDateTime.parse(event.timestamp()).toInstant().toEpochMilli();
        Word known = before == null ? null : before.ofConnector.get(connector);
        if (known != null && known.atMs > at) {
            return before;
        }
        Map<Integer, Word> after = before == null ? new HashMap<>() : before.ofConnector;
        after.put(connector, new Word(event.status(), at, event.errorCode()));
        return new Words(after);
    }
}

package plain;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.OffsetDateTime;

/** A session's state, and the output once it has ended. */
@JsonInclude(JsonInclude.Include.NON_NULL)
record Session(
    String stationId,
    String sessionId,
    int records,
    long startedMs,
    long updatedMs,
    Long endedMs,
    Double energyKwh,
    Double powerKw,
    Double socPercent,
    Integer connectorId,
    String userId,
    String held) {

    /** Returns the session after an event; `before` is null for its first one. */
    static Session advanced(Session before, SessionEvent event) {
        long at = OffsetDateTime.parse(event.timestamp()).toInstant().toEpochMilli();
        Session was = before != null ? before : first(event, at);
        boolean starts = event.event() == SessionEvent.Kind.session_start;
        boolean ends = event.event() == SessionEvent.Kind.session_end;
        boolean decreased =
            event.energyKwh() != null && was.energyKwh != null && event.energyKwh() < was.energyKwh;
        return new Session(
            was.stationId,
            was.sessionId,
            was.records + 1,
            starts ? at : was.startedMs,
            at,
            ends && was.endedMs == null ? Long.valueOf(at) : was.endedMs,
            or(event.energyKwh(), was.energyKwh),
            or(event.powerKw(), was.powerKw),
            or(event.socPercent(), was.socPercent),
            or(event.connectorId(), was.connectorId),
            or(event.userId(), was.userId),
            decreased ? "energy-decreased" : was.held);
    }

    private static Session first(SessionEvent event, long at) {
        return new Session(
            event.stationId(), event.sessionId(), 0, at, at, null, null, null, null, null, null, null);
    }

    private static <T> T or(T value, T otherwise) {
        return value != null ? value : otherwise;
    }
}

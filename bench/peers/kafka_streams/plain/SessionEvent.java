package plain;

import com.fasterxml.jackson.annotation.JsonProperty;

/** An event of charging-sessions. */
record SessionEvent(
    @JsonProperty("event") Kind event,
    @JsonProperty("station_id") String stationId,
    @JsonProperty("session_id") String sessionId,
    @JsonProperty("timestamp") String timestamp,
    @JsonProperty("connector_id") Integer connectorId,
    @JsonProperty("user_id") String userId,
    @JsonProperty("seq") Long seq,
    @JsonProperty("event_id") String eventId,
    @JsonProperty("energy_kwh") Double energyKwh,
    @JsonProperty("meter_kwh") Double meterKwh,
    @JsonProperty("power_kw") Double powerKw,
    @JsonProperty("current_a") Double currentA,
    @JsonProperty("soc_percent") Double socPercent,
    @JsonProperty("charging") Boolean charging,
    @JsonProperty("reason") String reason) {

    /** What a session's event says. */
    enum Kind { session_start, session_update, session_end }

    SessionEvent {
        Checks.required("event", event);
        Checks.id("station_id", stationId);
        Checks.id("session_id", sessionId);
        Checks.required("timestamp", timestamp);
        Checks.range("connector_id", connectorId, 1, 1000);
        Checks.optionalId("user_id", userId);
        Checks.optionalId("event_id", eventId);
        Checks.range("energy_kwh", energyKwh, 0, 1e9);
        Checks.range("meter_kwh", meterKwh, 0, 1e9);
        Checks.range("power_kw", powerKw, -1e5, 1e5);
        Checks.range("current_a", currentA, -1e5, 1e5);
        Checks.range("soc_percent", socPercent, 0, 100);
    }
}

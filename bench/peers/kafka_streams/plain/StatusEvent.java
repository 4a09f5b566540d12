package plain;

import com.fasterxml.jackson.annotation.JsonProperty;

/** An event of station-status. */
record StatusEvent(
    @JsonProperty("station_id") String stationId,
    @JsonProperty("timestamp") String timestamp,
    @JsonProperty("status") Status status,
    @JsonProperty("connector_id") Integer connectorId,
    @JsonProperty("error_code") String errorCode,
    @JsonProperty("event_id") String eventId) {

    /** What a connector can be. */
    enum Status { free, occupied, reserved, unavailable, faulted }

    StatusEvent {
        Checks.id("station_id", stationId);
        Checks.required("timestamp", timestamp);
        Checks.required("status", status);
        Checks.range("connector_id", connectorId, 0, 1000);
        Checks.optionalId("event_id", eventId);
    }
}

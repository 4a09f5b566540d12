"""Which status a station and its plugs have, from all that is known of them."""

from __future__ import annotations

import itertools

import pytest

from evcharge.domain.station import STATUS_ORDER, describe_station
from evcharge.domain.station_register import RegisteredConnector, RegisteredStation
from evcharge.domain.station_session import OpenSession
from evcharge.domain.station_state import ConnectorWord, StationState
from evcharge.domain.station_view import ConnectorView, StationView
from evcharge.domain.status_report import Status

SECOND = 1_000_000
NOW = 1_700_000_000 * SECOND
SILENCE = 3600 * SECOND
REPORTED = (
    Status.FREE,
    Status.OCCUPIED,
    Status.RESERVED,
    Status.UNAVAILABLE,
    Status.FAULTED,
)


def word(
    connector_id: int,
    status: Status,
    since_us: int = NOW - 600 * SECOND,
    *,
    heard_us: int = NOW - 10 * SECOND,
    error_code: str | None = None,
) -> ConnectorWord:
    return ConnectorWord(connector_id, status, since_us, since_us, heard_us, error_code)


def running(
    session_id: str = "S1", connector_id: int = 1, started_us: int | None = NOW - 60 * SECOND
) -> OpenSession:
    return OpenSession(session_id, connector_id, started_us, NOW - 5 * SECOND)


def registered(*connectors: RegisteredConnector) -> RegisteredStation:
    return RegisteredStation("EV-1", name="North", connectors=connectors)


def describe(
    *words: ConnectorWord,
    sessions: tuple[OpenSession, ...] = (),
    station: RegisteredStation | None = None,
) -> StationView:
    state = StationState(words) if words else None
    return describe_station("EV-1", state, sessions, station, NOW, SILENCE)


def only(view: StationView) -> ConnectorView:
    (connector,) = view.connectors
    return connector


def statuses(view: StationView) -> list[tuple[int, Status]]:
    return [(each.connector_id, each.status) for each in view.connectors]


class TestWhichConnectorsThereAre:
    def test_those_of_the_register_those_heard_of_and_those_with_a_session(self) -> None:
        view = describe(
            word(7, Status.FREE),
            sessions=(running(connector_id=3),),
            station=registered(RegisteredConnector(2)),
        )

        assert statuses(view) == [
            (2, Status.UNKNOWN),
            (3, Status.OCCUPIED),
            (7, Status.FREE),
        ]

    def test_a_station_wide_word_of_an_unregistered_station_means_connector_1(self) -> None:
        assert statuses(describe(word(0, Status.UNAVAILABLE))) == [(1, Status.UNAVAILABLE)]

    def test_nothing_known_at_all_means_one_unknown_connector(self) -> None:
        view = describe(station=RegisteredStation("EV-1"))

        assert only(view) == ConnectorView(
            1, None, Status.UNKNOWN, None, None, None, None, None, None
        )
        assert view.updated_us is None

    def test_a_station_wide_word_counts_for_every_registered_connector(self) -> None:
        station = registered(RegisteredConnector(1), RegisteredConnector(2))

        view = describe(word(0, Status.UNAVAILABLE), station=station)

        assert statuses(view) == [(1, Status.UNAVAILABLE), (2, Status.UNAVAILABLE)]


class TestTheStationsWordAgainstTheConnectorsOwn:
    @pytest.mark.parametrize(("own", "whole"), list(itertools.product(REPORTED, REPORTED)))
    def test_the_later_event_time_wins_but_a_fault_outranks_a_station_wide_free(
        self, own: Status, whole: Status
    ) -> None:
        earlier, later = NOW - 200 * SECOND, NOW - 100 * SECOND
        fault_stays = own is Status.FAULTED and whole is Status.FREE

        whole_later = only(describe(word(0, whole, later), word(1, own, earlier)))
        own_later = only(describe(word(0, whole, earlier), word(1, own, later)))

        assert whole_later.status is (own if fault_stays else whole)
        assert whole_later.since_us == (earlier if fault_stays else later)
        assert (own_later.status, own_later.since_us) == (own, later)

    def test_a_tie_goes_to_the_connector(self) -> None:
        view = describe(word(0, Status.UNAVAILABLE), word(1, Status.OCCUPIED))

        assert only(view).status is Status.OCCUPIED

    def test_a_status_did_not_begin_before_the_word_that_interrupted_it(self) -> None:
        whole = ConnectorWord(0, Status.FREE, NOW - 10, NOW - 500, NOW, None)

        view = describe(whole, word(1, Status.OCCUPIED, NOW - 300))

        assert (only(view).status, only(view).since_us) == (Status.FREE, NOW - 300)

    def test_a_sign_of_life_of_the_station_is_one_of_its_connectors(self) -> None:
        silent = word(1, Status.FAULTED, heard_us=NOW - 2 * SILENCE)

        view = describe(word(0, Status.FREE, heard_us=NOW - 3 * SECOND), silent)

        assert (only(view).status, only(view).age_s) == (Status.FAULTED, 3)


class TestSilence:
    def test_a_connector_silent_for_longer_than_the_setting_is_unknown_since_then(self) -> None:
        heard = NOW - SILENCE - 1

        connector = only(describe(word(1, Status.FREE, heard_us=heard, error_code="NoError")))

        assert (connector.status, connector.since_us) == (Status.UNKNOWN, heard)
        assert connector.error_code is None

    def test_a_connector_silent_for_just_as_long_is_not(self) -> None:
        connector = only(describe(word(1, Status.FREE, heard_us=NOW - SILENCE)))

        assert (connector.status, connector.age_s) == (Status.FREE, 3600)

    def test_a_brokers_clock_ahead_of_ours_makes_no_negative_age(self) -> None:
        assert only(describe(word(1, Status.FREE, heard_us=NOW + SECOND))).age_s == 0


class TestAnOpenSession:
    @pytest.mark.parametrize("status", REPORTED)
    def test_turns_free_into_occupied_and_leaves_every_other_status(self, status: Status) -> None:
        connector = only(describe(word(1, status), sessions=(running(),)))

        assert connector.session_id == "S1"
        if status is Status.FREE:
            assert connector.status is Status.OCCUPIED
            assert connector.since_us == NOW - 60 * SECOND
        else:
            assert connector.status is status
            assert connector.since_us == NOW - 600 * SECOND

    def test_turns_silence_into_occupied(self) -> None:
        silent = word(1, Status.FAULTED, heard_us=NOW - 2 * SILENCE)

        connector = only(describe(silent, sessions=(running(),)))

        assert (connector.status, connector.age_s) == (Status.OCCUPIED, 5)

    def test_whose_start_is_not_known_tells_no_since(self) -> None:
        assert only(describe(sessions=(running(started_us=None),))).since_us is None

    def test_that_started_last_is_shown_of_several_on_one_connector(self) -> None:
        overlapping = (
            running("S2", 1, NOW - 30),
            running("S3", 1, None),
            running("S1", 1, NOW - 90),
        )

        for sessions in itertools.permutations(overlapping):
            assert only(describe(sessions=tuple(sessions))).session_id == "S2"


class TestPlugsOfOneEvse:
    TWO_PLUGS = registered(
        RegisteredConnector(1, "A"), RegisteredConnector(2, "A"), RegisteredConnector(3, "B")
    )

    @pytest.mark.parametrize("taken", [Status.OCCUPIED, Status.RESERVED])
    def test_a_free_or_unknown_plug_is_blocked_while_the_other_is_taken(
        self, taken: Status
    ) -> None:
        heard_of = describe(word(1, Status.FREE), word(2, taken, NOW - 7), station=self.TWO_PLUGS)
        never_heard = describe(word(2, taken, NOW - 7), station=self.TWO_PLUGS)

        for view in (heard_of, never_heard):
            first = view.connectors[0]
            assert (first.status, first.since_us) == (Status.BLOCKED, NOW - 7)
            assert view.connectors[2].status is not Status.BLOCKED

    @pytest.mark.parametrize(
        "status", [Status.FAULTED, Status.UNAVAILABLE, Status.OCCUPIED, Status.RESERVED]
    )
    def test_a_plug_that_could_not_be_used_anyway_says_so(self, status: Status) -> None:
        view = describe(word(1, status), word(2, Status.OCCUPIED), station=self.TWO_PLUGS)

        assert view.connectors[0].status is status

    @pytest.mark.parametrize("status", [Status.FREE, Status.FAULTED, Status.UNAVAILABLE])
    def test_a_plug_that_takes_nothing_blocks_nothing(self, status: Status) -> None:
        view = describe(word(1, Status.FREE), word(2, status), station=self.TWO_PLUGS)

        assert view.connectors[0].status is Status.FREE

    def test_an_open_session_blocks_the_other_plug(self) -> None:
        view = describe(
            word(1, Status.FREE),
            word(2, Status.FREE),
            word(3, Status.FREE),
            sessions=(running(connector_id=2),),
            station=self.TWO_PLUGS,
        )

        assert statuses(view) == [(1, Status.BLOCKED), (2, Status.OCCUPIED), (3, Status.FREE)]
        assert view.connectors[0].session_id is None

    def test_connectors_without_an_evse_exclude_nobody_whatever_their_numbers(self) -> None:
        station = registered(RegisteredConnector(1, "2"), RegisteredConnector(2))

        view = describe(word(1, Status.OCCUPIED), word(2, Status.FREE), station=station)

        assert statuses(view) == [(1, Status.OCCUPIED), (2, Status.FREE)]
        assert view.evses == 2


class TestTheStationAsAWhole:
    def test_counts_evses_not_plugs(self) -> None:
        station = TestPlugsOfOneEvse.TWO_PLUGS

        view = describe(
            word(1, Status.FREE), word(2, Status.FREE), word(3, Status.OCCUPIED), station=station
        )

        assert (view.free, view.evses) == (1, 2)

    @pytest.mark.parametrize(("first", "second"), list(itertools.combinations(STATUS_ORDER, 2)))
    def test_has_the_first_status_of_the_order_that_any_plug_has(
        self, first: Status, second: Status
    ) -> None:
        words = [word(i, s) for i, s in ((1, second), (2, first)) if s is not Status.UNKNOWN]
        station = registered(RegisteredConnector(1), RegisteredConnector(2))

        assert describe(*words, station=station).status is first

    def test_was_updated_when_anything_of_it_was_heard_last(self) -> None:
        view = describe(word(0, Status.FREE), word(1, Status.FREE), sessions=(running(),))

        assert view.updated_us == NOW - 5 * SECOND

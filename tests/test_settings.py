"""A setting has a documented default, or a value that can be used, or the program says why not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evcharge.domain.session import Limits
from evcharge.errors import SettingError
from evcharge.settings import Settings


def test_without_variables_everything_has_its_default() -> None:
    settings = Settings.from_env({})
    assert settings.broker == "kafka://127.0.0.1:9092"
    assert settings.partitions == 8
    assert (settings.web_host, settings.web_port) == ("127.0.0.1", 6066)
    assert settings.url == "http://127.0.0.1:6066"


def test_variables_of_others_are_left_alone() -> None:
    assert Settings.from_env({"PATH": "/bin", "PARTITIONS": "3"}) == Settings.from_env({})


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("EVCHARGE_BROKER", "localhost:9092", "kafka://host:port"),
        ("EVCHARGE_BROKER", "kafka://a:1;b", "kafka://host:port"),
        ("EVCHARGE_BROKER", "kafka://a:0", "a port from 1 to 65535"),
        ("EVCHARGE_BROKER", "kafka://a:99999", "a port from 1 to 65535"),
        ("EVCHARGE_BROKER", "kafka://::1:9092", "an IPv6 address in brackets"),
        ("EVCHARGE_BROKER", "kafka://[a]:9092", "an IPv6 address in brackets"),
        ("EVCHARGE_TOPIC_PREFIX", "..", "not dots alone"),
        ("EVCHARGE_TOPIC_PREFIX", "p" * 101, "1 to 100 of the characters"),
        ("EVCHARGE_INSTANCE_ID", ".", "not dots alone"),
        ("EVCHARGE_MIN_INSYNC", "2", "at most EVCHARGE_REPLICATION=1"),
        ("EVCHARGE_WEB_HOST", "a b", "an address or host name"),
        ("EVCHARGE_WEB_HOST", ":::", "an address or host name"),
        ("EVCHARGE_DEFAULT_TARIFF", "/", "readable file"),
        ("EVCHARGE_PARTITIONS", "7", "1, 2, 4, 8, 16, 32 or 64"),
        ("EVCHARGE_WEB_PORT", "70000", "a whole number from 1 to 65535"),
        ("EVCHARGE_WEB_PORT", "-1", "a whole number"),
        ("EVCHARGE_WEB_PORT", "", "a whole number"),
        ("EVCHARGE_WEB_PORT", "\N{ARABIC-INDIC DIGIT ONE}", "a whole number"),
        ("EVCHARGE_BILLING", "false", "on or off"),
        ("EVCHARGE_BILLING", "", "on or off"),
        ("EVCHARGE_CURRENCY", "eur", "ISO 4217"),
        ("EVCHARGE_DEFAULT_TIME_ZONE", "Mars/Olympus", "IANA time zone"),
        ("EVCHARGE_DEFAULT_TIME_ZONE", "../etc/passwd", "IANA time zone"),
        ("EVCHARGE_DEFAULT_TARIFF", "/does/not/exist.json", "readable file"),
        ("EVCHARGE_ISSUER_NAME", "a" * 501, "at most 500 printable characters"),
        ("EVCHARGE_ISSUER_ADDRESS", "Main St 1\nTown", "one line"),
        ("EVCHARGE_ISSUER_VAT_ID", "DE1\0", "printable"),
        ("EVCHARGE_APP_ID", "a b", "1 to 100 of the characters"),
        ("EVCHARGE_PUBLIC_URL", "worker-1", "http://host:port"),
    ],
)
def test_a_wrong_value_names_the_variable_and_what_was_expected(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_env({variable: value})
    assert variable in str(refused.value)
    assert expected in str(refused.value)


@pytest.mark.parametrize(("value", "is_billing"), [("on", True), ("off", False)])
def test_billing_can_be_switched_off(value: str, is_billing: bool) -> None:
    assert Settings.from_env({"EVCHARGE_BILLING": value}).billing == is_billing


def test_several_brokers_are_separated_by_semicolons() -> None:
    settings = Settings.from_env({"EVCHARGE_BROKER": "kafka://a:1;b:2"})
    assert settings.bootstrap == ["a:1", "b:2"]


def test_copies_in_sync_are_one_less_than_all_of_them_and_at_least_one() -> None:
    assert Settings(replication=1).insync == 1
    assert Settings(replication=3).insync == 2
    assert Settings(replication=3, min_insync=1).insync == 1


def test_a_worker_that_listens_everywhere_is_reached_by_its_host_name() -> None:
    url = Settings(web_host="0.0.0.0").url
    assert "0.0.0.0" not in url
    assert Settings(web_host="0.0.0.0", public_url="http://w1:1").url == "http://w1:1"


def test_a_prefix_is_put_before_topic_names() -> None:
    assert Settings(topic_prefix="test.").topic("stations") == "test.stations"


def test_the_program_says_it_in_one_sentence_and_exits_with_2() -> None:
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "evcharge", "topics"],
        cwd=root,
        env={"PATH": "/usr/bin:/bin", "EVCHARGE_PARTITIONS": "many"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "evcharge: EVCHARGE_PARTITIONS='many' cannot be used: expected 1, 2, 4, 8, 16, 32 or 64\n"
    )


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_ipv6_address_stands_in_brackets_in_a_url(host: str) -> None:
    settings = Settings.from_env({"EVCHARGE_WEB_HOST": host})
    assert (settings.web_host, settings.url) == ("::1", "http://[::1]:6066")


def test_brokers_may_have_ipv6_addresses() -> None:
    settings = Settings.from_env({"EVCHARGE_BROKER": "kafka://[::1]:9092;[fe80::1]:65535"})
    assert settings.bootstrap == ["[::1]:9092", "[fe80::1]:65535"]


def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    file = tmp_path / "tariff.json"
    file.touch()
    # Nothing is unreadable to root, as whom tests may run.
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SettingError, match="the path of a readable file"):
        Settings.from_env({"EVCHARGE_DEFAULT_TARIFF": str(file)})


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("EVCHARGE_PARTITION", "EVCHARGE_PARTITIONS"),
        ("EVCHARGE_BROKERS", "EVCHARGE_BROKER"),
        ("EVCHARGE_WEBPORT", "EVCHARGE_WEB_PORT"),
        ("EVCHARGE_CURENCY", "EVCHARGE_CURRENCY"),
    ],
)
def test_a_slip_of_the_pen_is_refused_and_says_what_was_meant(variable: str, meant: str) -> None:
    with pytest.raises(SettingError, match=f"{variable} is no setting: did you mean {meant}\\?"):
        Settings.from_env({variable: "4"})


@pytest.mark.parametrize(
    "variable",
    # The last ones are what Kubernetes sets for a service named evcharge.
    ["EVCHARGE_CACHE_DIR", "EVCHARGE_SERVICE_HOST", "EVCHARGE_PORT", "EVCHARGE_PORT_6066_TCP"],
)
def test_other_variables_with_our_prefix_are_left_alone(variable: str) -> None:
    assert Settings.from_env({variable: "tcp://10.0.0.1:6066"}) == Settings.from_env({})


def test_the_limits_of_sessions_are_the_settings_in_their_units() -> None:
    settings = Settings.from_env(
        {
            "EVCHARGE_MAX_SESSION_S": "60",
            "EVCHARGE_MAX_SESSION_READINGS": "10",
            "EVCHARGE_MAX_SESSION_AHEAD_S": "2",
            "EVCHARGE_MAX_LEAP_KWH": "250",
            "EVCHARGE_POWER_TOLERANCE_PERCENT": "3",
            "EVCHARGE_POWER_TOLERANCE_S": "4",
            "EVCHARGE_SESSION_MEMORY_DAYS": "5",
        }
    )
    assert Limits.of(settings) == Limits(
        max_session_us=60_000_000,
        max_readings=10,
        ahead_us=2_000_000,
        max_leap_uwh=250_000_000_000,
        power_tolerance_percent=3,
        power_tolerance_us=4_000_000,
        memory_us=5 * 86_400_000_000,
    )


def test_the_limits_of_sessions_are_the_same_by_default_in_rules_and_settings() -> None:
    assert Limits.of(Settings()) == Limits()

"""OCPI's timestamps: RFC 3339, but without an offset they are in UTC."""

from evcharge.domain.quantities import ZoneMissingError, parse_timestamp


def instant_or_utc(text: str) -> int:
    """Return the instant of an OCPI `DateTime`, in microseconds since 1970-01-01T00:00Z.

    Raises:
        TimestampError: it is none (a `ValueError`, so a model's validator may let it pass).
    """
    try:
        return parse_timestamp(text)
    except ZoneMissingError:
        return parse_timestamp(f"{text}Z")

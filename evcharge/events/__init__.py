"""What may arrive: the wire format of each topic, and why a record of others is rejected.

    fields.py              kinds of value that several events share; instants.py their timestamps
    station_status.py      the event of the topic `station-status`
    charging_sessions.py   the four events of the topic `charging-sessions`
    session_records.py     what each of the four says, for the rules
    stations.py            an entry of the register
    tariffs.py             a version of a tariff; exact_numbers.py and tariff_times.py its values
    quoted_session.py      a session to be priced that somebody states
    objects.py             bytes to JSON object, or the reason why not
    chunk.py               many records in one pass, each rejected one by itself
    quick.py               the usual events in one faster pass, never against the models
    many.py                the usual events converted at once, column by column
    sealed_session.py      the record of the topic `sealed-sessions`, which evcharge writes
    unpriced_session.py    the same of a session that is not billed
    decode.py              the two functions that the agents call; received.py what they are given
    rejection.py           the fixed list of reasons

The models are the source of the AsyncAPI document too: a rule stands in its field's type and nowhere
else. Only what needs two values at once (an instant and the ingest time) is Python.
"""

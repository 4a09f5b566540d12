"""What may arrive: the wire format of each topic, and why a record of others is rejected.

    fields.py              kinds of value that several events share
    station_status.py      the event of the topic `station-status`
    charging_sessions.py   the four events of the topic `charging-sessions`
    stations.py            an entry of the register
    tariffs.py             a version of a tariff
    objects.py             bytes to JSON object, or the reason why not
    chunk.py               many records in one pass, each rejected one by itself
    quick.py               the usual events in one faster pass, never against the models
    many.py                the usual events converted at once, column by column
    sealed_session.py      the record of the topic `sealed-sessions`, which evcharge writes
    decode.py              the two functions that the agents call
    rejection.py           the fixed list of reasons

The models are the source of the AsyncAPI document too: a rule stands in its field's type and nowhere
else. Only what needs two values at once (an instant and the ingest time) is Python.
"""

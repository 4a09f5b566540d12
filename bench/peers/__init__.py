"""The same job in other stream processors, each as its own documentation would write it.

``job.py`` is what the Python peers do with one event; ``kafka_streams/`` says the same in Java. All of
them do a little less than evcharge, which also keeps every record of a session and an index.
"""

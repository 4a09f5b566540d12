# syntax=docker/dockerfile:1
# The application without the embedded broker: a worker, or any of the commands
# (`docker run evcharge topics`). Tests hold what this file promises (tests/test_packaging.py).

ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
# Before the source, so that a change of the source does not install anything anew.
COPY requirements/run.txt /tmp/run.txt
# Every package has a wheel: nothing is compiled here, and only bytes with the locked hash get in.
RUN /venv/bin/pip install --require-hashes --no-deps --only-binary :all: -r /tmp/run.txt

FROM python:${PYTHON}-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin evcharge \
    && install -d -o evcharge -g evcharge -m 0750 /var/lib/evcharge
COPY --from=build /venv /venv
WORKDIR /app
COPY . /app
RUN /venv/bin/python -m compileall -q /app
# PYTHONPATH: `agents` and `tables` are plain packages of /app (docs/adr/0001).
# WEB_HOST: the network of the container is its own; what is published is decided outside.
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    EVCHARGE_DATA_DIR=/var/lib/evcharge \
    EVCHARGE_WEB_HOST=0.0.0.0
# By number: what checks for root before a start cannot read the image's names.
USER 10001
# The state of the worker: RocksDB. Lost, it is restored from Kafka's changelogs.
VOLUME /var/lib/evcharge
EXPOSE 6066
# Faust answers it with leaving the group, so that another worker takes over at once.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=3s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('EVCHARGE_WEB_PORT', '6066') + '/healthz', timeout=2)"]
ENTRYPOINT ["faust", "-A", "evcharge"]
CMD ["worker", "-l", "info"]

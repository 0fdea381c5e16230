# One worker: it holds the models and does the jobs. Build from the repository's root:
#   docker build -f docker/worker.Dockerfile -t goodmany-worker .
#
# TORCH_INDEX_URL chooses torch's build. Empty takes the registry's default, which on Linux brings
# CUDA along and runs on a CPU too; the address of an index of CPU wheels makes the image some
# gigabytes smaller. The version is the pinned one either way.
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ARG TORCH_INDEX_URL=
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/goodmany
WORKDIR /source
COPY pyproject.toml constraints.txt ./
RUN if [ -n "$TORCH_INDEX_URL" ]; then \
        /opt/goodmany/bin/pip install --index-url "$TORCH_INDEX_URL" "$(grep '^torch==' constraints.txt)"; \
    else \
        /opt/goodmany/bin/pip install "$(grep '^torch==' constraints.txt)"; \
    fi
COPY README.md LICENSE ./
COPY app app
COPY models models
COPY workers workers
RUN /opt/goodmany/bin/pip install -c constraints.txt ".[worker,otel,s3]"

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN useradd --uid 10001 --create-home goodmany && install -d -o goodmany -g goodmany /data
COPY --from=build /opt/goodmany /opt/goodmany
COPY docker/worker_health.py /opt/goodmany/worker_health.py
# The root file system may be read-only: what is cached goes to the volume too.
ENV PATH=/opt/goodmany/bin:$PATH PYTHONUNBUFFERED=1 GOODMANY_DATA_DIR=/data GOODMANY_LOG_FORMAT=json \
    XDG_CACHE_HOME=/data/cache
USER 10001
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --start-period=90s \
    CMD ["python", "/opt/goodmany/worker_health.py"]
CMD ["goodmany", "worker"]

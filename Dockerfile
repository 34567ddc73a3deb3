# certctl for production: one image for web, worker, beat and migrate (see docker-compose.yml).

FROM python:3.12-slim AS packages
COPY requirements/runtime.txt /tmp/runtime.txt
# Only wheels, only the locked ones: a build without a compiler cannot run a stranger's setup.py.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --only-binary :all: --require-hashes -r /tmp/runtime.txt

FROM python:3.12-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=certctl.settings \
    CERTCTL_VAR_DIR=/srv/certctl/var \
    CERTCTL_STATIC_FROM_PACKAGES=false
RUN groupadd --gid 10001 certctl \
    && useradd --uid 10001 --gid certctl --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin certctl \
    && install --directory --owner=certctl --group=certctl /var/lib/certctl/pki
WORKDIR /srv/certctl
COPY --from=packages /opt/venv /opt/venv
COPY . .
# The key signs nothing here, and it does not stay in the image's environment.
RUN SECRET_KEY=for-collectstatic-only python manage.py collectstatic --no-input \
    && python -m compileall -q /srv/certctl
USER certctl
EXPOSE 8000
# Threads: many, for a client that stops half way holds one. Behind a proxy that takes in whole
# requests before it hands them on (docker-compose.yml), few are faster.
ENV GRANIAN_BLOCKING_THREADS=512
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", \
     "--workers", "2", "--no-ws", \
     "--respawn-failed-workers", "--respawn-interval", "0.5", "certctl.wsgi:application"]

# Stand-in for the postgres image: Debian's PostgreSQL 15, which is in the base, configured by the same variables.
FROM debian:bookworm-slim
ENV PGDATA=/var/lib/postgresql/data PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY postgres-entrypoint /usr/local/bin/
RUN rm -rf /var/lib/postgresql/15 && install -d -o postgres -g postgres "$PGDATA" /run/postgresql
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
# Debian chooses the user's number.
# hadolint ignore=DL3066
USER postgres
EXPOSE 5432
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]

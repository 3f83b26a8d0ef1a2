# Stand-in for gcr.io/distroless/static-debian12:nonroot: certificates, and the user 65532.
FROM debian:bookworm-slim AS files
RUN mkdir -p /static/etc/ssl/certs /static/home/nonroot && mkdir -m 1777 /static/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /static/etc/ssl/certs/ \
    && printf 'root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n' > /static/etc/passwd \
    && printf 'root:x:0:\nnonroot:x:65532:\n' > /static/etc/group \
    && printf 'hosts: files dns\n' > /static/etc/nsswitch.conf

FROM scratch
COPY --from=files /static/etc /etc
COPY --from=files /static/home /home
COPY --from=files /static/tmp /tmp
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
USER 65532

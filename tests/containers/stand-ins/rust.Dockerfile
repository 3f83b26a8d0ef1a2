# Stand-in for rust:1.95-slim-bookworm: this machine's toolchain, with the crates of the lock file.
FROM debian:bookworm-slim
# The versions that Debian has now.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*
COPY bin /usr/local/bin
COPY lib /usr/local/lib
COPY cargo /usr/local/cargo
ENV CARGO_HOME=/usr/local/cargo CARGO_NET_OFFLINE=true PATH=/usr/local/cargo/bin:/usr/local/bin:/usr/bin:/bin

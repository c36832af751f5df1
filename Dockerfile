# The tool in an image, for the nightly drift report of clusters without Jenkins:
# see docs/aws.md. The pods have no other programs than these.
FROM docker.io/library/golang:1.26.8-bookworm AS build
WORKDIR /src
COPY . .
RUN make build

FROM docker.io/library/debian:bookworm-slim
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates curl git && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /src/bin/platform /usr/local/bin/platform
USER 65532:65532
ENTRYPOINT ["platform"]

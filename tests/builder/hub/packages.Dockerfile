# What "apt-get install cowsay" fetches.
FROM base-debian AS fetched
RUN apt-get update && mkdir -p /debs/partial && apt-get -y --download-only -o Dir::Cache::archives=/debs install cowsay
FROM scratch
COPY --from=fetched /debs/*.deb /

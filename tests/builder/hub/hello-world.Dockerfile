FROM base-busybox
CMD ["echo", "Hello from Docker!"]

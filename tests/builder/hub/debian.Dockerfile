# Debian's essential packages; its apt knows the repository beside the hub, at the gateway of the bridge.
FROM base-debian
RUN echo 'deb [trusted=yes] http://10.87.0.1:3142/ ./' >/etc/apt/sources.list
CMD ["bash"]

FROM base-debian
RUN sed -i 's/^NAME=.*/NAME="Ubuntu"/' /etc/os-release
CMD ["bash"]

FROM base-busybox
CMD ["sh"]

FROM base-node
CMD ["node"]

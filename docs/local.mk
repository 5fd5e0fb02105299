# Man pages: dist_man_MANS += %D%/man/NAME.1
dist_man_MANS += %D%/man/orlop-runtime.8
if BUILDER
dist_man_MANS += %D%/man/orlop-builder.1
endif
EXTRA_DIST += %D%/architecture.md %D%/compatibility.md %D%/exit-codes.md %D%/store.md %D%/validation.md
EXTRA_DIST += %D%/lint.md %D%/cache.md %D%/registries.md %D%/docker-to-orlop.md %D%/rootless.md %D%/reproducibility.md %D%/attestations.md
EXTRA_DIST += %D%/lint.md %D%/progress.md

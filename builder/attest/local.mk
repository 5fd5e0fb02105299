# builder/attest: what is said of images beside them
builder_libbuilder_a_SOURCES += %D%/attestation.c %D%/attestation.h
builder_libbuilder_a_SOURCES += %D%/packages.c %D%/packages.h %D%/package-files.c
builder_libbuilder_a_SOURCES += %D%/bytes.h %D%/rpm-database.c %D%/rpm-database.h %D%/rpm-header.c
builder_libbuilder_a_SOURCES += %D%/sqlite-table.c %D%/sqlite-table.h
builder_libbuilder_a_SOURCES += %D%/provenance.c %D%/provenance.h %D%/provenance-read.c %D%/provenance-read.h
builder_libbuilder_a_SOURCES += %D%/sbom.c %D%/sbom.h

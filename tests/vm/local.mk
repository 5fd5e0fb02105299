# tests/vm
dist_check_SCRIPTS += %D%/vm.bats
TESTS += %D%/vm.bats
EXTRA_DIST += %D%/README.md %D%/boot %D%/each %D%/exclude %D%/guest %D%/images %D%/packages.full \
	%D%/packages.uml %D%/run %D%/selinux.cil %D%/suite

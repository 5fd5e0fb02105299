# tests/vm
dist_check_SCRIPTS += %D%/vm.bats %D%/faults.bats
TESTS += %D%/vm.bats %D%/faults.bats
EXTRA_DIST += %D%/README.md %D%/boot %D%/each %D%/exclude %D%/faults/clock \
	%D%/faults/io-error %D%/faults/power-cut %D%/faults/store.bash %D%/guest %D%/images %D%/packages.full \
	%D%/packages.uml %D%/run %D%/selinux.cil %D%/suite %D%/vm.service %D%/vm.target

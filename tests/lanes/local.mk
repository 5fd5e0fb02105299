# tests/lanes: what ./dev check makes of the results of the host and the VMs
dist_check_SCRIPTS += %D%/lanes.bats
TESTS += %D%/lanes.bats
EXTRA_DIST += %D%/share %D%/skips %D%/tally %D%/unrun

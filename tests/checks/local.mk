# Checks of the sources: each is a shell script that speaks TAP.
source_checks = %D%/check-includes.sh %D%/check-banned.sh
dist_check_SCRIPTS += $(source_checks)
TESTS += $(source_checks)

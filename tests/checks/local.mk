# Checks of the sources and of the pages: each is a shell script that speaks TAP.
source_checks = %D%/check-includes.sh %D%/check-banned.sh %D%/check-docs.sh %D%/check-integration.sh
dist_check_SCRIPTS += $(source_checks)
TESTS += $(source_checks)

# The same Dockerfiles built by docker, by buildah and by ours (./dev interop); here ours is held
# against the recordings of docker.
interop_cases = add bases config context copy expand from heredoc ignore lines run scope
interop_ours = add config context copy from ignore run
EXTRA_DIST += %D%/README.md %D%/live %D%/interop.py %D%/cases.py %D%/image.py %D%/builders.py \
	$(interop_cases:%=%D%/cases/%.txt) $(interop_cases:%=%D%/expected/%.txt) \
	$(interop_ours:%=%D%/expected/%.ours.txt)
if BUILDER
dist_check_SCRIPTS += %D%/recorded.sh
TESTS += %D%/recorded.sh
endif

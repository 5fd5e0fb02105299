# Completion scripts, made by the programs themselves and put where the shells look for them.
bashcompdir = $(datadir)/bash-completion/completions
zshcompdir = $(datadir)/zsh/site-functions
fishcompdir = $(datadir)/fish/vendor_completions.d
nodist_bashcomp_DATA =
nodist_zshcomp_DATA =
nodist_fishcomp_DATA =

# a program for another machine cannot be asked
if NATIVE_BUILD
nodist_bashcomp_DATA += completions/bash/orlop-runtime
nodist_zshcomp_DATA += completions/zsh/_orlop-runtime
nodist_fishcomp_DATA += completions/fish/orlop-runtime.fish
if BUILDER
nodist_bashcomp_DATA += completions/bash/orlop-builder
nodist_zshcomp_DATA += completions/zsh/_orlop-builder
nodist_fishcomp_DATA += completions/fish/orlop-builder.fish
endif
endif
CLEANFILES += $(nodist_bashcomp_DATA) $(nodist_zshcomp_DATA) $(nodist_fishcomp_DATA)

make_completion = $(AM_V_GEN)$(MKDIR_P) $(@D) && ./$(<F) completion
completions/bash/orlop-runtime: orlop-runtime
	$(make_completion) bash >$@.new && mv $@.new $@
completions/zsh/_orlop-runtime: orlop-runtime
	$(make_completion) zsh >$@.new && mv $@.new $@
completions/fish/orlop-runtime.fish: orlop-runtime
	$(make_completion) fish >$@.new && mv $@.new $@
completions/bash/orlop-builder: orlop-builder
	$(make_completion) bash >$@.new && mv $@.new $@
completions/zsh/_orlop-builder: orlop-builder
	$(make_completion) zsh >$@.new && mv $@.new $@
completions/fish/orlop-builder.fish: orlop-builder
	$(make_completion) fish >$@.new && mv $@.new $@

# Man pages: dist_man_MANS += %D%/man/NAME.1
dist_man_MANS += %D%/man/orlop-runtime.8

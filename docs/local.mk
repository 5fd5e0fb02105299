# Man pages: dist_man_MANS += %D%/man/NAME.1

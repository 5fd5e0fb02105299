# pattern: unit_lib += name; %C%_test_name_SOURCES; all link the libraries below the layer tested
unit_lib = 

# Assembles FOLDER/stubs/NAME.s for each name of names.txt where its object is older, and archives the
# objects as FOLDER/libxkrnl.a. AS and AR are the cross tools.
file(STRINGS ${FOLDER}/stubs/names.txt names)
set(objects "")
foreach(name ${names})
  set(source ${FOLDER}/stubs/${name}.s)
  set(object ${FOLDER}/stubs/${name}.o)
  if(${source} IS_NEWER_THAN ${object})
    execute_process(COMMAND ${AS} -a32 -mppc64 -o ${object} ${source} COMMAND_ERROR_IS_FATAL ANY)
  endif()
  list(APPEND objects ${object})
endforeach()
file(REMOVE ${FOLDER}/libxkrnl.a)
execute_process(COMMAND ${AR} crsD ${FOLDER}/libxkrnl.a ${objects} COMMAND_ERROR_IS_FATAL ANY)

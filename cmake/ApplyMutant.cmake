# Applies PATCH to a copy of FROM that is called TO. Fails the build with what
# to do if FROM has changed so much that the patch no longer fits.
execute_process(
  COMMAND "${PATCH_PROGRAM}" --quiet --forward --fuzz=0 --no-backup-if-mismatch
    --reject-file=- "--output=${TO}.tmp" "${FROM}" "${PATCH}"
  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT status EQUAL 0)
  file(REMOVE "${TO}.tmp")
  message(FATAL_ERROR "${PATCH}\ndoes not fit\n${FROM}\nany more. Put the same "
    "fault into the file as it is now, write the patch anew with diff -u, and "
    "see that its test finds the fault.\n${output}")
endif()
file(RENAME "${TO}.tmp" "${TO}")

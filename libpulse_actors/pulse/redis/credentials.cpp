#include "pulse/redis/credentials.hpp"

#include "pulse/redis/regular_file.hpp"

namespace pulse::redis {

outcome<std::string> current_password(const redis_options& options,
                                      const endpoint& to) {
  if (!options.password.empty())
    return options.password;
  if (options.password_file.empty())
    return to.password;
  auto line = first_line_of(options.password_file);
  if (line && !line->empty())
    return line;
  return failure{errc::auth_failed,
                 "password_file: cannot read a password from the first line of "
                 "\""
                   + options.password_file
                   + "\": " + (line ? "it is empty" : line.error().what)
                   + "; this process must be able to read the file"};
}

} // namespace pulse::redis

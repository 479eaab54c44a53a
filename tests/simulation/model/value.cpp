#include "simulation/model/value.hpp"

#include <utility>

namespace pulse::simulation {

namespace {

value make(value::kind what, std::string text = {}) {
  value result;
  result.what = what;
  result.text = std::move(text);
  return result;
}

} // namespace

value nil() {
  return {};
}

value nil_array() {
  return make(value::kind::nil_array);
}

value integer(int64_t x) {
  auto result = make(value::kind::integer);
  result.number = x;
  return result;
}

value text(std::string x) {
  return make(value::kind::text, std::move(x));
}

value status(std::string x) {
  return make(value::kind::status, std::move(x));
}

value error(std::string x) {
  return make(value::kind::error, std::move(x));
}

value array(std::vector<value> xs) {
  auto result = make(value::kind::array);
  result.items = std::move(xs);
  return result;
}

void encode(const value& x, std::string& out) {
  switch (x.what) {
    case value::kind::nil:
      out += "$-1\r\n";
      break;
    case value::kind::nil_array:
      out += "*-1\r\n";
      break;
    case value::kind::integer:
      out += ":" + std::to_string(x.number) + "\r\n";
      break;
    case value::kind::text:
      out += "$" + std::to_string(x.text.size()) + "\r\n" + x.text + "\r\n";
      break;
    case value::kind::status:
      out += "+" + x.text + "\r\n";
      break;
    case value::kind::error:
      out += "-" + x.text + "\r\n";
      break;
    case value::kind::array:
      out += "*" + std::to_string(x.items.size()) + "\r\n";
      for (const auto& item : x.items)
        encode(item, out);
      break;
  }
}

} // namespace pulse::simulation

#pragma once

#include <caf/config.hpp>

// CAF 1.0 and 1.1 print CAF_VERSION as an octal number, which is smaller than
// that of 0.17. So only CAF_MAJOR_VERSION is compared.
#if CAF_MAJOR_VERSION < 1 && CAF_MINOR_VERSION != 17
#  error                                                                       \
    "pulse_actors needs CAF 0.17.6 or CAF 1.x: 0.18 and 0.19 have half of \
the interfaces of each. Install libcaf-dev of Debian, or build CAF 1.1.0."
#endif

#if CAF_MAJOR_VERSION < 1
#  include <caf/make_message.hpp>
#endif
#include <caf/error.hpp>
#include <caf/exit_reason.hpp>
#include <caf/result.hpp>
#include <caf/sec.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#if CAF_MAJOR_VERSION < 1
#  include <caf/meta/load_callback.hpp>
#  include <caf/meta/type_name.hpp>
#  include <caf/replies_to.hpp>
#else
#  include <caf/type_id.hpp>
#endif

// What CAF 0.17.6 and CAF 1.x spell differently in public headers. The spelling
// here is that of 1.x as far as possible. For the same in the actors of the
// library see internal/caf.

#if CAF_MAJOR_VERSION < 1

/// The name of an option of CAF itself:
/// `cfg.set(PULSE_CAF_OPTION("scheduler.max-threads"), …)`. CAF 1.x has its
/// options in the group "caf".
#  define PULSE_CAF_OPTION(name) name

/// Makes an enum class a kind of `caf::error`.
/// @param category The name of the kind in CAF 0.17.6, at most 10 characters.
#  define PULSE_ERROR_CODE_ENUM(type, category)                                \
    CAF_ERROR_CODE_ENUM(type, category)

#else

#  define PULSE_CAF_OPTION(name) "caf." name
#  define PULSE_ERROR_CODE_ENUM(type, category) CAF_ERROR_CODE_ENUM(type)

#endif

namespace pulse {

#if CAF_MAJOR_VERSION < 1

namespace detail {

template <class Signature>
struct signature;

template <class... Out, class... In>
struct signature<caf::result<Out...>(In...)> {
  using type = typename caf::replies_to<In...>::template with<Out...>;
};

} // namespace detail

/// The handle of an actor with this interface: one signature per message, as in
/// `actor_interface<caf::result<bool>(std::string), caf::result<void>(int)>`.
template <class... Signatures>
using actor_interface
  = caf::typed_actor<typename detail::signature<Signatures>::type...>;

/// The interface of `Handle`, and more messages.
template <class Handle, class... Signatures>
using extended_interface = typename Handle::template extend<
  typename detail::signature<Signatures>::type...>;

/// What the function inspect() of a message type returns.
template <class Inspector>
using inspected = typename Inspector::result_type;

#else

template <class... Signatures>
using actor_interface = caf::typed_actor<Signatures...>;

template <class Handle, class... Signatures>
using extended_interface = typename Handle::template extend<Signatures...>;

template <class Inspector>
using inspected = bool;

#endif

/// A member of a struct and its name, for fields().
template <class T>
struct named_field {
  std::string_view name;
  T& value;
};

template <class T>
named_field<T> field(std::string_view name, T& value) {
  return {name, value};
}

#if CAF_MAJOR_VERSION < 1

namespace detail {

/// CAF 0.17.6 does not inspect std::optional: it is sent as a flag and a value.
template <class T>
struct optional_ref {
  std::optional<T>& value;
};

template <class Inspector, class T>
typename Inspector::result_type inspect(Inspector& f, optional_ref<T>& x) {
  bool is_set = x.value.has_value();
  T value = x.value.value_or(T{});
  if constexpr (Inspector::reads_state) {
    return f(caf::meta::type_name("optional"), is_set, value);
  } else {
    auto load = [&]() -> caf::error {
      x.value = is_set ? std::optional<T>{value} : std::nullopt;
      return caf::none;
    };
    return f(caf::meta::type_name("optional"), is_set, value,
             caf::meta::load_callback(load));
  }
}

template <class T>
T& inspectable(T& x) {
  return x;
}

template <class T>
optional_ref<T> inspectable(std::optional<T>& x) {
  return {x};
}

} // namespace detail

#endif

/// Inspects a struct: `return fields(f, x, "point", field("x", x.x), …);`. CAF
/// 0.17.6 ignores the names of the fields.
template <class Inspector, class T, class... Ts>
inspected<Inspector>
fields(Inspector& f, T& x, const char* type, named_field<Ts>... xs) {
#if CAF_MAJOR_VERSION < 1
  static_cast<void>(x);
  return f(caf::meta::type_name(type), detail::inspectable(xs.value)...);
#else
  return f.object(x).pretty_name(type).fields(f.field(xs.name, xs.value)...);
#endif
}

/// Inspects an object that is sent in the form of another type.
/// @param to_image Makes an `Image` of the object.
/// @param from_image Makes an object of an `Image`.
template <class Image, class Inspector, class T, class To, class From>
inspected<Inspector>
inspect_as(Inspector& f, T& x, To to_image, From from_image) {
#if CAF_MAJOR_VERSION < 1
  if constexpr (Inspector::reads_state) {
    Image image = to_image(x);
    return f(image);
  } else {
    Image image;
    auto load = [&]() -> caf::error {
      x = from_image(std::move(image));
      return caf::none;
    };
    return f(image, caf::meta::load_callback(load));
  }
#else
  Image image;
  if constexpr (!Inspector::is_loading)
    image = to_image(x);
  if (!f.apply(image))
    return false;
  if constexpr (Inspector::is_loading)
    x = from_image(std::move(image));
  return true;
#endif
}

#if CAF_MAJOR_VERSION >= 1

/// Sends the enums of this namespace as numbers, as CAF 0.17.6 does by itself.
template <class Inspector, class Enum,
          class = std::enable_if_t<std::is_enum_v<Enum>>>
bool inspect(Inspector& f, Enum& x) {
  using number = std::underlying_type_t<Enum>;
  return f.apply([&x] { return static_cast<number>(x); },
                 [&x](number y) { x = static_cast<Enum>(y); });
}

#endif

/// @returns whether the error is one of this enum, as in
/// `is_error_of<caf::sec>(x)`.
template <class Enum>
bool is_error_of(const caf::error& x) {
  if (!x)
    return false;
#if CAF_MAJOR_VERSION < 1
  if constexpr (std::is_same_v<Enum, caf::sec>)
    return x.category() == caf::atom("system");
  else if constexpr (std::is_same_v<Enum, caf::exit_reason>)
    return x.category() == caf::atom("exit");
  else
    return x.category() == caf::detail::error_factory<Enum>::category;
#else
  return x.category() == caf::type_id_v<Enum>;
#endif
}

} // namespace pulse

/* control/scrypt: the vectors of RFC 7914, values that Python's hashlib (OpenSSL) gives, the bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "control/bytes.h"
#include "control/scrypt.h"

static void assert_key(const char *password, const char *salt, int cost, int block, int parallel, const char *hex)
{
	unsigned char out[64];
	char text[2 * sizeof(out) + 1];
	size_t len = strlen(hex) / 2;

	memset(out, 0xA5, sizeof(out));
	assert_int_equal(scrypt_key(password, strlen(password), salt, strlen(salt), cost, block, parallel, out, len),
			 FC_OK);
	bytes_to_hex(out, len, text);
	assert_string_equal(text, hex);
	for (size_t i = len; i < sizeof(out); i++)
		assert_int_equal(out[i], 0xA5);
}

/* RFC 7914, 12. The fourth, of a gigabyte, is beyond our bounds. */
static void vectors_of_the_rfc(void **state)
{
	(void)state;
	assert_key("", "", 4, 1, 1,
		   "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
		   "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
	assert_key("password", "NaCl", 10, 8, 16,
		   "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
		   "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
	assert_key("pleaseletmein", "SodiumChloride", 14, 8, 1,
		   "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"
		   "d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887");
}

/* hashlib.scrypt() of Python: every parameter once at its bound, or nearly. */
static void values_of_another(void **state)
{
	(void)state;
	assert_key("correct horse battery staple", "0123456789abcdef", 14, 8, 5,
		   "c8c1e01bf143112445d23e608e118ba2d48c3dd9df79f51c34d14fc8da10b491");
	assert_key("座位", "s", 1, 1, 1, "6cf1dd666539dab3d15e343a41edc5239bb5f2aea5ac185829cff569272f6358");
	char password[301], salt[65];

	memset(password, 'p', 300);
	memset(salt, 's', 64);
	password[300] = salt[64] = 0;
	assert_key(password, salt, 11, 7, 3, "28b16216e4efac6455c8a83c200c165e46");
	assert_key("x", "y", 5, 8, 2, "ca");
	assert_key("top", "salt", 16, 8, 1, "2670de350f4cf2c3283d7e76ee71032c6f25e9cf615f45668c46f8c1bc0cd0cc");
}

static void bounds(void **state)
{
	static const int bad[][3] = {{0, 8, 1}, {17, 8, 1}, {-1, 8, 1}, {31, 8, 1},
				     {4, 0, 1}, {4, 9, 1},  {4, 8, 0},  {4, 8, 17}};
	unsigned char out[64] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(scrypt_key("p", 1, "s", 1, bad[i][0], bad[i][1], bad[i][2], out, 32), FC_EINVAL);
	assert_int_equal(scrypt_key("p", 1, "s", 1, 4, 8, 1, out, 0), FC_EINVAL);
	assert_int_equal(scrypt_key("p", 1, "s", 1, 4, 8, 1, out, 65), FC_EINVAL);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(vectors_of_the_rfc),
	    cmocka_unit_test(values_of_another),
	    cmocka_unit_test(bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

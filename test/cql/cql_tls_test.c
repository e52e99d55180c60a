// SPDX-License-Identifier: Apache-2.0
// TLS: a certificate that names the address and comes from the CA that was given, or no connection. Certificates are made here, for this run.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "client.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct papers { // of a server, signed by itself
    char cert_file[64], key_file[64];
};

static void write_pem(char path[64], X509 *cert, EVP_PKEY *key)
{
    snprintf(path, 64, "/tmp/weir-tls-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "w");
    assert_int_equal(cert ? PEM_write_X509(f, cert) : PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

static void add_extension(X509 *cert, int kind, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, cert, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    assert_non_null(extension);
    X509_add_ext(cert, extension, -1);
    X509_EXTENSION_free(extension);
}

static struct papers make_papers(const char *names, long from_s, long to_s)
{
    struct papers p;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), to_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)"fake ring", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, names);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    write_pem(p.cert_file, cert, NULL);
    write_pem(p.key_file, NULL, key);
    X509_free(cert);
    EVP_PKEY_free(key);
    return p;
}

static void drop_papers(const struct papers *p)
{
    unlink(p->cert_file);
    unlink(p->key_file);
}

enum { DAY = 86400 };
static const char both[] = "IP:127.0.1.1,IP:127.0.1.2";

static void rows_through_tls(void **state)
{
    (void)state;
    struct papers p = make_papers(both, -DAY, DAY);
    for (int version = 4; version <= 5; version++) {
        struct client c;
        struct tally *t = tally_make();
        client_open(&c, &(struct fake_options){.nodes = 2, .version_max = version, .cert_file = p.cert_file, .key_file = p.key_file},
                    &(struct cql_options){.tls = {.on = true, .ca_file = p.cert_file}});
        EVENTUALLY(client_up(&c) == 2);
        client_write(&c, t, 0, 500, NULL);
        fake_chop(c.ring, 11);
        client_write(&c, t, 500, 100, &(struct row_options){.value_bytes = 3000});
        assert_int_equal(tally_wait(t)->good, 600);
        assert_int_equal(client_missing(&c, t, 0, 500, NULL), 0);
        client_close(&c);
        tally_free(t);
    }
    drop_papers(&p);
}

static void refused(const char *names, long from_s, long to_s, const char *server_name, bool known)
{
    struct papers p = make_papers(names, from_s, to_s), other = make_papers(both, -DAY, DAY);
    struct client c;
    struct weir_error err;
    struct cql_options options = {.tls = {.on = true, .ca_file = known ? p.cert_file : other.cert_file, .server_name = server_name}};
    assert_true(client_try(&c, &(struct fake_options){.nodes = 2, .cert_file = p.cert_file, .key_file = p.key_file}, &options, &err) < 0);
    if (err.code != WEIR_BAD_CONFIG)
        fail_msg("%s", err.text);
    client_close(&c);
    drop_papers(&p);
    drop_papers(&other);
}

static void wrong_certificates(void **state)
{
    (void)state;
    refused("IP:127.0.9.9", -DAY, DAY, NULL, true);
    refused("DNS:cassandra.test", -DAY, DAY, "other.test", true);
    refused(both, -2 * DAY, -DAY, NULL, true);
    refused(both, -DAY, DAY, NULL, false);
}

static void insecure_if_told_so(void **state)
{
    (void)state;
    struct papers p = make_papers("IP:127.0.9.9", -2 * DAY, -DAY);
    struct client c;
    struct weir_error err;
    struct cql_options options = {.tls = {.on = true, .insecure = true}};
    if (client_try(&c, &(struct fake_options){.cert_file = p.cert_file, .key_file = p.key_file}, &options, &err) < 0)
        fail_msg("%s", err.text);
    client_close(&c);
    drop_papers(&p);
}

// One side speaks TLS, the other does not: an error in time, either way.
static void only_one_side(void **state)
{
    (void)state;
    struct papers p = make_papers(both, -DAY, DAY);
    struct client c;
    struct weir_error err;
    struct cql_options plain = {.open_timeout_ms = 500, .connect_timeout_ms = 200}, tls = plain;
    tls.tls = (struct cql_tls){.on = true, .ca_file = p.cert_file};
    assert_true(client_try(&c, &(struct fake_options){0}, &tls, &err) < 0);
    client_close(&c);
    assert_true(client_try(&c, &(struct fake_options){.cert_file = p.cert_file, .key_file = p.key_file}, &plain, &err) < 0);
    client_close(&c);
    drop_papers(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_through_tls),
        cmocka_unit_test(wrong_certificates),
        cmocka_unit_test(insecure_if_told_so),
        cmocka_unit_test(only_one_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

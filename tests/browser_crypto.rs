//! `browser::crypto` in a real browser, against signatures that others have published or made.
#![cfg(target_arch = "wasm32")]

use js_sys::Uint8Array;
use polar_signin::browser::crypto::{Algorithm, Key, NoEntropy, Verdict, fill_random, verify};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

fn eval(source: &str) -> JsValue {
    js_sys::eval(source).unwrap_or_else(|error| panic!("{source}: {error:?}"))
}

/// Bytes from base64url, read by the browser itself.
fn bytes(text: &str) -> Vec<u8> {
    let plain = text.replace('-', "+").replace('_', "/");
    Uint8Array::new(&eval(&format!("Uint8Array.from(atob('{plain}'), letter => letter.charCodeAt(0))"))).to_vec()
}

fn rsa(n: &str) -> Key {
    Key::Rsa { n: n.to_owned(), e: "AQAB".to_owned() }
}

fn ec(x: &str, y: &str) -> Key {
    Key::EcP256 { x: x.to_owned(), y: y.to_owned() }
}

fn ed(x: &str) -> Key {
    Key::Ed25519 { x: x.to_owned() }
}

async fn rs256(signature: &[u8]) -> Verdict {
    verify(Algorithm::Rs256, &rsa(RSA_N), RSA_INPUT.as_bytes(), signature).await
}

async fn es256(signature: &[u8]) -> Verdict {
    verify(Algorithm::Es256, &ec(EC_X, EC_Y), EC_INPUT.as_bytes(), signature).await
}

#[wasm_bindgen_test]
async fn id_01_published_signatures_are_good() {
    assert_eq!(rs256(&bytes(RSA_SIGNATURE)).await, Verdict::Good);
    assert_eq!(es256(&bytes(EC_SIGNATURE)).await, Verdict::Good);
    assert_eq!(verify(Algorithm::EdDsa, &ed(ED_X), b"", &bytes(ED_SIGNATURE)).await, Verdict::Good);
    let pss = verify(Algorithm::Ps256, &rsa(PSS_N), RSA_INPUT.as_bytes(), &bytes(PSS_SIGNATURE)).await;
    assert_eq!(pss, Verdict::Good);
}

#[wasm_bindgen_test]
async fn a_bit_flipped_anywhere_in_a_signature_is_bad() {
    for index in 0..256 {
        let mut signature = bytes(RSA_SIGNATURE);
        signature[index] ^= 1 << (index % 8);
        assert_eq!(rs256(&signature).await, Verdict::Bad, "RSA, byte {index}");
    }
    for index in 0..64 {
        let mut signature = bytes(EC_SIGNATURE);
        signature[index] ^= 1 << (index % 8);
        assert_eq!(es256(&signature).await, Verdict::Bad, "EC, byte {index}");
        let mut signature = bytes(ED_SIGNATURE);
        signature[index] ^= 1 << (index % 8);
        let verdict = verify(Algorithm::EdDsa, &ed(ED_X), b"", &signature).await;
        assert_eq!(verdict, Verdict::Bad, "Ed25519, byte {index}");
    }
}

#[wasm_bindgen_test]
async fn a_bit_flipped_in_what_is_signed_is_bad() {
    let mut input = RSA_INPUT.as_bytes().to_vec();
    for index in [0, input.len() / 2, input.len() - 1] {
        input[index] ^= 1;
        let rsa = verify(Algorithm::Rs256, &rsa(RSA_N), &input, &bytes(RSA_SIGNATURE)).await;
        assert_eq!(rsa, Verdict::Bad, "RSA, byte {index}");
        input[index] ^= 1;
    }
    let mut input = EC_INPUT.as_bytes().to_vec();
    input.push(0);
    let ec = verify(Algorithm::Es256, &ec(EC_X, EC_Y), &input, &bytes(EC_SIGNATURE)).await;
    assert_eq!(ec, Verdict::Bad);
}

#[wasm_bindgen_test]
async fn signatures_of_a_wrong_form_are_bad() {
    let zeros = vec![0; 64];
    assert_eq!(es256(&zeros).await, Verdict::Bad, "r = s = 0");
    // The order of the curve's group, in place of r, of s and of both.
    let order = bytes("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
    let good = bytes(EC_SIGNATURE);
    assert_eq!(es256(&[&order, &good[32..]].concat()).await, Verdict::Bad, "r = n");
    assert_eq!(es256(&[&good[..32], &order].concat()).await, Verdict::Bad, "s = n");
    assert_eq!(es256(&[&good[..32], &zeros[32..]].concat()).await, Verdict::Bad, "s = 0");
    assert_eq!(es256(&bytes(EC_SIGNATURE_DER)).await, Verdict::Bad, "DER");
    for wrong in [&[][..], &good[..63], &good[..32], &[&good[..], &[0]].concat()] {
        assert_eq!(es256(wrong).await, Verdict::Bad, "{} bytes", wrong.len());
    }
    let good = bytes(RSA_SIGNATURE);
    for wrong in [&[][..], &good[..255], &good[1..], &[&[0], &good[..]].concat(), &[0; 256], &[255; 256]] {
        assert_eq!(rs256(wrong).await, Verdict::Bad, "{} bytes", wrong.len());
    }
}

#[wasm_bindgen_test]
async fn id_06_a_signature_is_good_under_its_own_algorithm_and_key_alone() {
    let input = RSA_INPUT.as_bytes();
    assert_eq!(verify(Algorithm::Ps256, &rsa(RSA_N), input, &bytes(RSA_SIGNATURE)).await, Verdict::Bad);
    assert_eq!(verify(Algorithm::Rs256, &rsa(PSS_N), input, &bytes(PSS_SIGNATURE)).await, Verdict::Bad);
    assert_eq!(verify(Algorithm::Ps256, &rsa(PSS_N), input, &bytes(PSS_SIGNATURE_SALT_20)).await, Verdict::Bad);
    assert_eq!(verify(Algorithm::Rs256, &rsa(PSS_N), input, &bytes(RSA_SIGNATURE)).await, Verdict::Bad);
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        assert_eq!(verify(algorithm, &rsa(RSA_N), input, &bytes(RSA_SIGNATURE)).await, Verdict::Unusable);
    }
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256, Algorithm::EdDsa] {
        let input = EC_INPUT.as_bytes();
        assert_eq!(verify(algorithm, &ec(EC_X, EC_Y), input, &bytes(EC_SIGNATURE)).await, Verdict::Unusable);
    }
}

#[wasm_bindgen_test]
async fn ds_22_what_is_no_key_is_unusable() {
    for n in ["", "AA", "not base64!", "\u{e4}"] {
        assert_ne!(verify(Algorithm::Rs256, &rsa(n), b"", &bytes(RSA_SIGNATURE)).await, Verdict::Good, "{n:?}");
    }
    // WebKit takes a point off the curve for a key, with which nothing is signed.
    let off_the_curve = ec(EC_X, EC_X);
    let verdict = verify(Algorithm::Es256, &off_the_curve, EC_INPUT.as_bytes(), &bytes(EC_SIGNATURE)).await;
    let is_webkit = eval("/Chrome|Firefox/.test(navigator.userAgent)").is_falsy();
    assert_eq!(verdict, if is_webkit { Verdict::Bad } else { Verdict::Unusable });
    let short = ec(&EC_X[..40], EC_Y);
    let long = ec(&format!("AA{EC_X}"), EC_Y);
    for key in [short, long, ec("", ""), ec("not base64!", EC_Y)] {
        let verdict = verify(Algorithm::Es256, &key, EC_INPUT.as_bytes(), &bytes(EC_SIGNATURE)).await;
        assert_eq!(verdict, Verdict::Unusable, "{key:?}");
    }
    for key in [ed(""), ed(&ED_X[..42]), ed("not base64!")] {
        assert_eq!(verify(Algorithm::EdDsa, &key, b"", &bytes(ED_SIGNATURE)).await, Verdict::Unusable, "{key:?}");
    }
}

#[wasm_bindgen_test]
async fn st_13_a_polluted_object_prototype_changes_no_verdict() {
    eval(
        "Object.assign(Object.prototype, {
            use: 'enc', key_ops: ['sign'], alg: 'RS512', ext: false, d: 'AQAB', hash: 'SHA-512', saltLength: 0,
            namedCurve: 'P-384', crv: 'P-384', kty: 'oct', name: 'HMAC',
        })",
    );
    let rsa = rs256(&bytes(RSA_SIGNATURE)).await;
    let ec = es256(&bytes(EC_SIGNATURE)).await;
    eval("for (const name of Object.keys(Object.prototype)) delete Object.prototype[name]");
    assert_eq!((rsa, ec), (Verdict::Good, Verdict::Good));
}

#[wasm_bindgen_test]
async fn without_cryptography_there_is_no_verdict_and_no_entropy() {
    let input = RSA_INPUT.as_bytes();
    let (key, signature) = (rsa(RSA_N), bytes(RSA_SIGNATURE));
    for crypto in ["undefined", "null", "{}", "{subtle: {}}", "{subtle: {importKey: async () => ({})}}"] {
        eval(&format!(
            "window.cryptoProperty = Object.getOwnPropertyDescriptor(window, 'crypto');
            Object.defineProperty(window, 'crypto', {{value: {crypto}, configurable: true}})"
        ));
        let verdict = verify(Algorithm::Rs256, &key, input, &signature).await;
        let entropy = fill_random(&mut [0; 32]);
        eval("Object.defineProperty(window, 'crypto', window.cryptoProperty)");
        assert_eq!((verdict, entropy), (Verdict::Unusable, Err(NoEntropy)), "{crypto}");
    }
    assert_eq!(rs256(&signature).await, Verdict::Good);
}

#[wasm_bindgen_test]
async fn a_check_that_fails_to_answer_is_no_verdict() {
    for answer in ["Promise.reject('text')", "Promise.reject()", "'true'", "1", "undefined"] {
        eval(&format!(
            "window.realVerify = SubtleCrypto.prototype.verify;
            SubtleCrypto.prototype.verify = async () => {answer}"
        ));
        let verdict = rs256(&bytes(RSA_SIGNATURE)).await;
        eval("SubtleCrypto.prototype.verify = window.realVerify");
        assert_eq!(verdict, Verdict::Unusable, "{answer}");
    }
}

#[wasm_bindgen_test]
fn random_bytes_fill_the_whole_slice() {
    // More than the browser gives at once.
    let (mut first, mut second) = (vec![0; 200_000], vec![0; 200_000]);
    assert_eq!(fill_random(&mut first), Ok(()));
    assert_eq!(fill_random(&mut second), Ok(()));
    for (block, other) in first.chunks(32).zip(second.chunks(32)) {
        assert!(block.iter().any(|byte| *byte != 0));
        assert_ne!(block, other);
    }
    // Every value comes up about as often: 781 times, give or take 28 (a standard deviation).
    let mut counts = [0_u32; 256];
    first.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    assert!(counts.iter().all(|count| (550..1_050).contains(count)), "{counts:?}");
}

/// RFC 7515 A.2: what is signed.
const RSA_INPUT: &str = "\
    eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
    pc19yb290Ijp0cnVlfQ";
/// RFC 7515 A.2: the modulus; the exponent is `AQAB`.
const RSA_N: &str = "\
    ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql\
    L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs\
    LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud\
    F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// RFC 7515 A.2: the signature.
const RSA_SIGNATURE: &str = "\
    cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujG\
    bds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
    0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6\
    LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
/// RFC 7515 A.3: what is signed.
const EC_INPUT: &str = "\
    eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9\
    pc19yb290Ijp0cnVlfQ";
/// RFC 7515 A.3: the point.
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
/// RFC 7515 A.3: the point.
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
/// RFC 7515 A.3: the signature.
const EC_SIGNATURE: &str = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
/// The same in DER, as X.509 has it and JWS has not.
const EC_SIGNATURE_DER: &str =
    "MEUCIA7RIVN5Y2xIPC9_FVgH1AKjsigDOvl8fheBmsMWnqZlAiEAxQoH04w8cOXY8S2vCEpUgKZlkMXyk1Cajz9_ioOjVNU";
/// RFC 8032 7.1, test 1: the key; nothing is signed.
const ED_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// RFC 8032 7.1, test 1: the signature.
const ED_SIGNATURE: &str = "5VZDAMNgrHKQhuLMgG6CioSHfx645dl02HPgZSJJAVVfuIIVkKM7rMYeOXAc-bRr0lv18FlbviRlUUFDjnoQCw";
/// A key made by OpenSSL for these tests; the exponent is `AQAB`.
const PSS_N: &str = "\
    sVr54R_x_obJ3ePLIOca7AuX9pDqVWpP-iEOPwMZWZTm2t6kFuIDpOao8r3Rjcqs_4B0fjyNoBGZbioDI1tecDlsLjEA6rIO\
    cluq_BkahPJYpSHAVA5ynoKz31la5kNn2LVJNQIlgCpQUU3i-iiGko4O8_i59h_pszPoF4Hv2ku70_nihokO6DNqBkPnQoKH\
    JXMzplkmArIO35eyICJldshDLjUY-pl1Hi6PP88ja4GZjEyBlX_NXG_TjkfCSZ50dJ4DupVIqi8s73LiOaoJhTKr9CN_eBG0\
    RK9zIUgqEb9nt-ikW1inp9xrFjYQgujKfMrbuXJ3fg7v4jaV8Aa-kQ";
/// OpenSSL's PSS signature over `RSA_INPUT`, with a salt of 32 bytes.
const PSS_SIGNATURE: &str = "\
    SyZlxsYLVrILfJ0CAdG9R8lC73r9Ro6Ai95IeoI81AD1bh2UC8XmFBbreqFSRUpu43QM-Erm8EH5SvBR-gTS8pmJA0CF_lkJ\
    _KNILi0frY6Ml2nI-SjetwNej2maLtNSkXdMjeM9efGflxN43q8aN8MEzrpdxeXvhACGaql5ME9qtccON7ghDgZq13iLnlix\
    e02pY_U1xQconhIVybpUjAT1VhMuohvlt2L1ptOxiZoqp9KtT6vJo3rKd3PLfkbztB7HrNe503s0y0rWr713Kdc030a3kqFV\
    NOyj-ZoipOxxElFS8pLysF4T01CFJuJ_UaS92M5yBd8CVtT5QE6few";
/// The same with a salt of 20 bytes, which PS256 does not allow.
const PSS_SIGNATURE_SALT_20: &str = "\
    JJ4bEXM1GE6-UxhoQ3MvCRmsCLCljFQ-aBhEJCSngKPvaWEj3RM1SckhlO32ChBujb_0PCWrEXQzf8ZdIZSAFjDGjoQo63sx\
    _tD2M9-ucrOPrHpAB1m6z3iNQe9pjBcLaq4lMyz9HM2YLWfVWuSjdNsN5uMZOZy6_6bhIDmBKF508RnhNwf0Iwg4zqvwHArB\
    JMPKZCSFMNNBYsOUQwmexNUkEe3X_F_VRS2USxsBqb7XIHtqQb5i4ge5N4FB2HWq6LC8liTDTJnMhi1nLRkbK1f1cl94NVOs\
    G1RnxPeOrVAQfW2yDRlY6NN1OeVfTIy4uEol9N1u4VI383_7399VrA";

//! Keys that sign and that nobody can read, kept for this origin.
//!
//! A key pair on P-256 whose private half the browser does not give out, in an `IndexedDB` that holds
//! nothing else: the one storage that takes a key as it is. Every page of the origin can use it by its
//! name; no script can carry it away. The database is opened for each use and closed after it, so that
//! a person who clears it is heard at once.

use js_sys::{Array, Function, Object, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{CryptoKey, IdbDatabase, IdbObjectStore, IdbObjectStoreParameters, IdbRequest, IdbTransactionMode};

use super::{
    clock,
    crypto::{settled, subtle},
    member, options,
};

/// Why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is none of this name.
    Gone,
    /// The browser does not say.
    Unknown,
}

/// A key of this origin.
pub struct SigningKey {
    private: CryptoKey,
    point: Vec<u8>,
}

impl SigningKey {
    /// The public half: the uncompressed point.
    pub fn point(&self) -> &[u8] {
        &self.point
    }

    /// ECDSA with SHA-256 over these bytes: r and s.
    pub async fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let sign = subtle()?.sign_with_object_and_u8_array(&algorithm(), &self.private, bytes).ok()?;
        Some(Uint8Array::new(&settled(sign).await?).to_vec())
    }
}

/// Makes a key of this name and keeps it; gives its public half. `None` if the browser will not.
pub async fn make(name: &str) -> Option<Vec<u8>> {
    let usages = Array::of2(&JsValue::from_str("sign"), &JsValue::from_str("verify"));
    let subtle = subtle()?;
    let pair = settled(subtle.generate_key_with_object(&algorithm(), false, &usages).ok()?).await?;
    let public: CryptoKey = member(&pair, "publicKey").dyn_into().ok()?;
    let point = Uint8Array::new(&settled(subtle.export_key("raw", &public).ok()?).await?);
    let record = options(&[
        ("name", JsValue::from_str(name)),
        ("key", member(&pair, "privateKey")),
        ("point", JsValue::from(&point)),
        ("made", JsValue::from_f64(clock::now_ms() as f64)),
    ]);
    let database = Database::open().await?;
    database.write(|store| store.put(&record).is_ok()).await?;
    database.make_room().await;
    Some(point.to_vec())
}

/// The key of this name.
///
/// # Errors
/// If there is none, or the browser does not say.
pub async fn find(name: &str) -> Result<SigningKey, Missing> {
    let database = Database::open().await.ok_or(Missing::Unknown)?;
    let record = database.read(|store| store.get(&JsValue::from_str(name)).ok()).await.ok_or(Missing::Unknown)?;
    let private: CryptoKey = member(&record, "key").dyn_into().map_err(|_| Missing::Gone)?;
    let point: Uint8Array = member(&record, "point").dyn_into().map_err(|_| Missing::Gone)?;
    Ok(SigningKey { private, point: point.to_vec() })
}

/// Removes the key of this name.
pub async fn remove(name: &str) {
    if let Some(database) = Database::open().await {
        database.write(|store| store.delete(&JsValue::from_str(name)).is_ok()).await;
    }
}

/// One object serves for making and for signing.
fn algorithm() -> Object {
    options(&[("name", "ECDSA".into()), ("namedCurve", "P-256".into()), ("hash", "SHA-256".into())])
}

/// The database, closed when it is dropped.
struct Database(IdbDatabase);

impl Drop for Database {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Database {
    async fn open() -> Option<Self> {
        let request = web_sys::window()?.indexed_db().ok()??.open_with_u32(DATABASE, 1).ok()?;
        let opening = request.clone();
        let create = Closure::once(move || {
            let database: Option<IdbDatabase> = opening.result().ok().and_then(|result| result.dyn_into().ok());
            let parameters = IdbObjectStoreParameters::new();
            parameters.set_key_path(&JsValue::from_str("name"));
            if let Some(database) = database {
                // If it fails, so does every use.
                let _ = database.create_object_store_with_optional_parameters(STORE, &parameters);
            }
        });
        request.set_onupgradeneeded(Some(create.as_ref().unchecked_ref()));
        answer(&request).await?.dyn_into().ok().map(Self)
    }

    async fn read(&self, ask: impl FnOnce(&IdbObjectStore) -> Option<IdbRequest>) -> Option<JsValue> {
        let store = self.0.transaction_with_str(STORE).ok()?.object_store(STORE).ok()?;
        answer(&ask(&store)?).await
    }

    /// Waits until it is written.
    async fn write(&self, change: impl FnOnce(&IdbObjectStore) -> bool) -> Option<()> {
        let transaction = self.0.transaction_with_str_and_mode(STORE, IdbTransactionMode::Readwrite).ok()?;
        let store = transaction.object_store(STORE).ok()?;
        change(&store).then_some(())?;
        heard(|good, bad| {
            transaction.set_oncomplete(Some(good));
            transaction.set_onabort(Some(bad));
        })
        .await
    }

    /// A tab that is closed signs nobody out, and its key stays: the oldest give way.
    async fn make_room(&self) {
        let Some(records) = self.read(|store| store.get_all().ok()).await else { return };
        let made = |record: &JsValue| member(record, "made").as_f64().unwrap_or_default();
        let mut records: Vec<JsValue> = Array::from(&records).to_vec();
        records.sort_by(|a, b| made(b).total_cmp(&made(a)));
        for old in records.iter().skip(MOST) {
            self.write(|store| store.delete(&member(old, "name")).is_ok()).await;
        }
    }
}

async fn answer(request: &IdbRequest) -> Option<JsValue> {
    heard(|good, bad| {
        request.set_onsuccess(Some(good));
        request.set_onerror(Some(bad));
    })
    .await?;
    request.result().ok()
}

/// Waits for one of two events.
async fn heard(listen: impl Fn(&Function, &Function)) -> Option<()> {
    let promise = Promise::new(&mut |good, bad| listen(&good, &bad));
    JsFuture::from(promise).await.ok().map(drop)
}

const DATABASE: &str = "polar-signin";
const STORE: &str = "keys";
/// So many keys are kept.
const MOST: usize = 32;

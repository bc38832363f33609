// Every word of the element, one table. `{}` is the provider's name, or a person's. Own ones: the property `texts`.

export const NAMES = [
  "signIn", "organization", "leaving", "popup", "completing", "signingOut", "cancel", "signOut", "again", "close",
  "denied", "network", "storage", "setUp", "expired", "blocked", "framed", "failed",
];

const table = (text) => {
  const lines = text.trim().split("\n");
  return Object.fromEntries(NAMES.map((name, index) => [name, lines[index]]));
};

export const TEXTS = {
  __proto__: null,
  en: table(`
Sign in with {}
Choose an organization at {}
Going to {}…
Go on in the window that has opened.
One moment…
Signing out…
Cancel
Sign out
Try again
You are done here. You can close this window.
You did not allow it, so nothing was handed over.
{} could not be reached. Please try again.
This browser keeps no data for this site. Signing in needs that.
This sign-in is not set up rightly. Only the owner of this page can mend that.
Your session has ended.
The browser did not open a window. Go on in this one:
Signing in does not work inside another page.
The sign-in did not succeed. Please try again.`),
  de: table(`
Mit {} anmelden
Eine Organisation bei {} wählen
Weiter zu {}…
Bitte im geöffneten Fenster fortfahren.
Einen Moment…
Abmelden…
Abbrechen
Abmelden
Noch einmal versuchen
Fertig. Dieses Fenster kann geschlossen werden.
Der Zugriff wurde nicht erlaubt, also wurde nichts übergeben.
{} ist nicht erreichbar. Bitte noch einmal versuchen.
Dieser Browser speichert nichts für diese Website. Die Anmeldung braucht das.
Diese Anmeldung ist falsch eingerichtet. Nur wer die Seite betreibt, kann das ändern.
Die Sitzung ist abgelaufen.
Der Browser hat kein Fenster geöffnet. Hier geht es weiter:
Die Anmeldung ist innerhalb einer anderen Seite nicht möglich.
Die Anmeldung ist nicht gelungen. Bitte noch einmal versuchen.`),
  fr: table(`
Se connecter avec {}
Choisir une organisation chez {}
Redirection vers {}…
Continuez dans la fenêtre qui vient de s’ouvrir.
Un instant…
Déconnexion…
Annuler
Se déconnecter
Réessayer
C’est fait. Vous pouvez fermer cette fenêtre.
L’accès n’a pas été autorisé : rien n’a été transmis.
{} est injoignable. Veuillez réessayer.
Ce navigateur ne conserve rien pour ce site, ce qui est nécessaire à la connexion.
Cette connexion est mal configurée. Seul le propriétaire de la page peut y remédier.
Votre session est terminée.
Le navigateur n’a pas ouvert de fenêtre. Continuez ici :
La connexion ne fonctionne pas à l’intérieur d’une autre page.
La connexion n’a pas abouti. Veuillez réessayer.`),
  es: table(`
Iniciar sesión con {}
Elegir una organización en {}
Abriendo {}…
Continúa en la ventana que se ha abierto.
Un momento…
Cerrando sesión…
Cancelar
Cerrar sesión
Reintentar
Listo. Ya puedes cerrar esta ventana.
No se permitió el acceso, así que no se entregó nada.
No se puede conectar con {}. Inténtalo de nuevo.
Este navegador no guarda datos de este sitio, y el inicio de sesión los necesita.
Este inicio de sesión está mal configurado. Solo el responsable de la página puede arreglarlo.
Tu sesión ha terminado.
El navegador no abrió ninguna ventana. Continúa en esta:
No se puede iniciar sesión dentro de otra página.
No se pudo iniciar sesión. Inténtalo de nuevo.`),
  ja: table(`
{}でサインイン
{}で組織を選ぶ
{}に移動しています…
開いたウィンドウで続けてください。
お待ちください…
サインアウトしています…
キャンセル
サインアウト
もう一度試す
完了しました。このウィンドウを閉じてください。
許可されなかったため、何も渡されていません。
{}に接続できません。もう一度お試しください。
このブラウザーはこのサイトのデータを保存しません。サインインには保存が必要です。
サインインの設定が正しくありません。修正できるのはこのページの管理者だけです。
セッションが終了しました。
ウィンドウを開けませんでした。この画面で続けてください：
ほかのページの中ではサインインできません。
サインインできませんでした。もう一度お試しください。`),
  ar: table(`
تسجيل الدخول باستخدام {}
اختيار مؤسسة لدى {}
جارٍ الانتقال إلى {}…
تابِع في النافذة التي فُتحت.
لحظة من فضلك…
جارٍ تسجيل الخروج…
إلغاء
تسجيل الخروج
إعادة المحاولة
تم. يمكنك إغلاق هذه النافذة.
لم يُسمح بالوصول، فلم يُسلَّم أي شيء.
تعذّر الوصول إلى {}. حاول مرة أخرى.
هذا المتصفح لا يحفظ بيانات هذا الموقع، وتسجيل الدخول يحتاج إليها.
تسجيل الدخول غير مُعَدّ بشكل صحيح. مالك الصفحة وحده يستطيع إصلاحه.
انتهت جلستك.
لم يفتح المتصفح نافذة. تابِع هنا:
لا يعمل تسجيل الدخول داخل صفحة أخرى.
لم ينجح تسجيل الدخول. حاول مرة أخرى.`),
};

/** The language of the table that fits the first of these wishes best. */
export function language(...wishes) {
  for (const wish of wishes) {
    const base = typeof wish === "string" && wish.toLowerCase().split("-")[0];
    if (base && base in TEXTS) return base;
  }
  return "en";
}

/** Which words an error has. A code that is not here has those for "try again". */
export function wordsFor({ code, retryable }) {
  if (code === "access_denied") return "denied";
  if (code === "session_expired") return "expired";
  if (code === "popup_blocked") return "blocked";
  if (code === "framed") return "framed";
  if (code.startsWith("storage_")) return "storage";
  if (["network", "timeout", "load_failed", "rate_limited", "server_error", "temporarily_unavailable"].includes(code)) return "network";
  return retryable ? "failed" : "setUp";
}

import { useEffect, useState, useSyncExternalStore } from "react";
import { PolarSigninError, type PolarSigninClient, type View } from "polar-signin";

/** What there is to show of a client, and every change of it. */
function useView(client: PolarSigninClient): View {
  return useSyncExternalStore((changed) => client.subscribe(changed), () => client.view);
}

export function App({ client }: { client: PolarSigninClient }) {
  const { state, session, error } = useView(client);
  // What goes wrong is in the view.
  const signIn = () => void client.signIn().catch(() => {});
  return (
    <>
      <header>
        <strong>Tool shed</strong>
        {state === "signed-out" && (
          <button className="primary" onPointerEnter={() => void client.prepare().catch(() => {})} onClick={signIn}>
            Sign in with Polar
          </button>
        )}
        {session && (
          <>
            <span id="name">{session.displayName}</span>
            <button onClick={() => void client.signOut()}>Sign out</button>
          </>
        )}
      </header>
      <main>
        {state === "signed-out" && <p>Sign in to see your products.</p>}
        {state === "working" && <p role="status">One moment…</p>}
        {state === "failed" && error && (
          <>
            <p role="alert">{error.message}</p>
            <button onClick={() => client.dismissError()}>All right</button>
          </>
        )}
        {session && <Organizations client={client} key={session.subject} />}
      </main>
    </>
  );
}

/** A request with the access token of whoever is signed in. The token never comes near this code. */
function Organizations({ client }: { client: PolarSigninClient }) {
  const [names, setNames] = useState<string[] | PolarSigninError>();
  useEffect(() => {
    const stop = new AbortController();
    client.organizations({ signal: stop.signal }).then(
      ({ organizations }) => setNames(organizations.map(({ name }) => name)),
      (error: unknown) => error instanceof PolarSigninError && setNames(error),
    );
    return () => stop.abort();
  }, [client]);
  if (names instanceof PolarSigninError) return <p role="alert">{names.message}</p>;
  return (
    <ul id="organizations-by-request">
      {names ? names.map((name) => <li key={name}>{name}</li>) : <li role="status">One moment…</li>}
    </ul>
  );
}

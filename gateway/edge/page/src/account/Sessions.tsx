// Where the person is signed in.
import { useAccount, useList } from "./account";
import { change, type Problem } from "./change";
import { Act } from "./Form";
import { Moment, Panel } from "./Panel";
import type { Session } from "./words";

export function Sessions() {
  const { refresh, tell } = useAccount();
  const { nodes, fault, more } = useList<Session>("sessions");
  const revoke = async (id: string): Promise<Problem[]> => {
    const { problems } = await change("sessionRevoke", { id });
    refresh();
    return problems;
  };
  const revokeOthers = async (): Promise<Problem[]> => {
    const { problems } = await change("sessionsRevokeOthers");
    if (problems.length === 0) tell("You are signed in nowhere else now.");
    refresh();
    return problems;
  };
  return (
    <Panel title="Sessions" hint="where you are signed in">
      {fault && (
        <p className="fault" role="alert">
          {fault.message}
        </p>
      )}
      <ul className="rows sessions">
        {nodes?.map(({ id, userAgent, clientIp, lastSeenAt, current }) => (
          <li key={id}>
            <div>
              <strong>{current ? "This browser" : (clientIp ?? "Unknown address")}</strong>
              <small>
                {userAgent ?? "Unknown program"} · last seen <Moment at={lastSeenAt} />
              </small>
            </div>
            {!current && (
              <div>
                <Act label="Revoke" about={`${userAgent ?? "unknown program"}, ${clientIp ?? "unknown address"}`} send={() => revoke(id)} />
              </div>
            )}
          </li>
        ))}
      </ul>
      {more && (
        <button type="button" className="quiet" onClick={more}>
          Show more
        </button>
      )}
      {nodes && nodes.length > 1 && <Act label="Sign out everywhere else" send={revokeOthers} />}
    </Panel>
  );
}
